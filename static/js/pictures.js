/** A photo as it is taken over: where it was taken, and a smaller copy without anything but pixels. */

const LONGEST = 2048;
const QUALITY = 0.85;

/** Where a photo was taken, `{lat, lon}`, or null. The file itself goes nowhere. */
export async function placeOf(file) {
  try {
    const { gps } = (await import("exifr")).default;
    const { latitude: lat, longitude: lon } = (await gps(file)) ?? {};
    return Number.isFinite(lat) && Number.isFinite(lon) && (lat || lon) ? { lat, lon } : null;
  } catch {
    return null;
  }
}

/** A JPEG of at most 2048 pixels; the file as it is where the browser cannot open it but the server can; else null. */
export async function shrink(file) {
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const share = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * share));
    canvas.height = Math.max(1, Math.round(picture.height * share));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  } catch {
    return /\.hei[cf]$/i.test(file.name) || /hei[cf]/.test(file.type) ? file : null;
  }
}

/** A small picture of a photo, drawn so that no address of it is needed. */
export async function thumbnail(blob, size = 96) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size * 2;
  try {
    const picture = await createImageBitmap(blob);
    const side = Math.min(picture.width, picture.height);
    const [x, y] = [(picture.width - side) / 2, (picture.height - side) / 2];
    canvas.getContext("2d").drawImage(picture, x, y, side, side, 0, 0, canvas.width, canvas.height);
    picture.close();
  } catch {
    // A kind that only the server can open shows an empty square.
  }
  return canvas;
}
