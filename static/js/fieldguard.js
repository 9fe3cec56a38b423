/** Warns before signing out, which wipes this browser, while records from the field have not been sent. */

import { waiting } from "./fieldbox.js";

const known = (await indexedDB.databases?.())?.some((one) => one.name === "geoapp-field");
if (known && (await waiting().catch(() => 0)) > 0) document.getElementById("field-unsent").hidden = false;
