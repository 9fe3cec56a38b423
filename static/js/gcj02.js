/**
 * The display system of Chinese base maps. Our data are WGS-84 everywhere, in tiles, clicks and addresses;
 * on a GCJ-02 base map the shift happens in the projection and nowhere else, so it happens exactly once.
 * Formula as published by the eviltransform project; the inverse is found by iteration.
 */

const A = 6378245;
const EE = 0.006693421622965943;

/** WGS-84 to GCJ-02, degrees; outside China unchanged. */
export function toGcj02(lat, lon) {
  if (lon < 72.004 || lon > 137.8347 || lat < 0.8293 || lat > 55.8271) return [lat, lon];
  const x = lon - 105;
  const y = lat - 35;
  const root = Math.sqrt(Math.abs(x));
  const both = ((20 * Math.sin(6 * x * Math.PI) + 20 * Math.sin(2 * x * Math.PI)) * 2) / 3;
  let dLat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + both;
  dLat += ((20 * Math.sin(y * Math.PI) + 40 * Math.sin((y / 3) * Math.PI)) * 2) / 3;
  dLat += ((160 * Math.sin((y / 12) * Math.PI) + 320 * Math.sin((y * Math.PI) / 30)) * 2) / 3;
  let dLon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + both;
  dLon += ((20 * Math.sin(x * Math.PI) + 40 * Math.sin((x / 3) * Math.PI)) * 2) / 3;
  dLon += ((150 * Math.sin((x / 12) * Math.PI) + 300 * Math.sin((x / 30) * Math.PI)) * 2) / 3;
  const phi = (lat * Math.PI) / 180;
  const magic = 1 - EE * Math.sin(phi) ** 2;
  dLat = (dLat * 180) / (((A * (1 - EE)) / (magic * Math.sqrt(magic))) * Math.PI);
  dLon = (dLon * 180) / ((A / Math.sqrt(magic)) * Math.cos(phi) * Math.PI);
  return [lat + dLat, lon + dLon];
}

/** GCJ-02 to WGS-84, degrees, exact to 1e-10 degrees. */
export function fromGcj02(lat, lon) {
  let [y, x] = [lat, lon];
  for (let round = 0; round < 8; round += 1) {
    const [gy, gx] = toGcj02(y, x);
    const [dy, dx] = [gy - lat, gx - lon];
    [y, x] = [y - dy, x - dx];
    if (Math.abs(dy) < 1e-10 && Math.abs(dx) < 1e-10) break;
  }
  return [y, x];
}

/** Web Mercator of GCJ-02 for Leaflet, fed with WGS-84. */
export function gcj02Crs(L) {
  const mercator = L.Projection.SphericalMercator;
  const projection = L.extend({}, mercator, {
    project: (place) => mercator.project(L.latLng(...toGcj02(place.lat, place.lng))),
    unproject: (point) => {
      const shifted = mercator.unproject(point);
      return L.latLng(...fromGcj02(shifted.lat, shifted.lng));
    },
  });
  return L.extend({}, L.CRS.EPSG3857, { code: "GCJ-02", projection });
}
