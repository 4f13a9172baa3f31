// The page that checks evidence packs begins here: one file, opened from a disk, without any network.
// Knows: which language its reader has. Refuses to know: packs.

import { render } from "preact";

import "../../../../server/help/static/site.css";
import "../app/app.css";
import { ready } from "../crypto_core/sodium.js";
import "./verifier.css";
import { Verifier } from "./Verifier.js";
import { chooseLanguage, languageOf } from "./words.js";

chooseLanguage(languageOf(navigator.languages));
await ready();
render(<Verifier />, document.getElementById("main")!);
