// What a valid receipt means: when, by whose word, what is proven and what isn't. Knows: what was verified.
// Refuses to know: whether what was deposited is true, and who made it; and says so.

import type { JSX } from "preact";
import { moment, say } from "../../i18n.js";
import type { KeptReceipt } from "../../../worker/api.js";

/** `whole`: it is a record's, in which the text and the fingerprint of each file are. `witnesses`: how many had signed by
 * the bound, where that is known. */
export function Meaning({ verified, whole, witnesses }: {
  verified: KeptReceipt["verified"]; whole?: boolean; witnesses?: number;
}): JSX.Element {
  const { claimedTime, boundTime, cosignedBy } = verified;
  const when = moment(boundTime ?? claimedTime);
  return (
    <>
      <h2>{say("receipts.deposit.name")}</h2>
      <p class="receipt-time">{moment(claimedTime)}</p>
      <p>{say("receipts.deposit.operator")}</p>
      <p>
        {boundTime === null ? say("receipts.deposit.alone")
          : say("receipts.deposit.witnessed", { count: witnesses ?? cosignedBy.length, moment: moment(boundTime) })}
      </p>
      <h2>{say("receipts.proves.name")}</h2>
      <ul>
        <li>
          {boundTime === null ? say("receipts.proves.existed_operator", { moment: when })
            : say("receipts.proves.existed_witnesses", { moment: when })}
        </li>
        <li>{say("receipts.proves.unchanged")}</li>
        {whole && <li>{say("receipts.proves.files")}</li>}
      </ul>
      <h2>{say("receipts.not.name")}</h2>
      <ul>
        {(["who", "truth", "facts"] as const).map((name) => <li key={name}>{say(`receipts.not.${name}`)}</li>)}
      </ul>
    </>
  );
}
