// The views of getting in, and of what a person decides about their space. Knows: their names.

export { Credentials } from "./credentials.js";
export { Erase } from "./erase.js";
export { Recover } from "./recover.js";
export { Recovery } from "./recovery.js";
export { Reopen } from "./reopen.js";
export { Sessions } from "./sessions.js";
export { Settings } from "./settings.js";
export { SignUp } from "./sign_up.js";
export { Trust } from "./trust.js";
export { WaitingTime } from "./waiting_time.js";
