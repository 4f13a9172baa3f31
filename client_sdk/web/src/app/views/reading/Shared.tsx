// What somebody shared, while it is open. Knows: how its files are fetched, and what its reader should know of it.
// Refuses to know: who shared it, and keys. Nothing of it is kept when it is closed.

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { moment, say } from "../../i18n.js";
import { Button, Notice, Title } from "../../parts/index.js";
import { address, go } from "../../router.js";
import { reading, session, type Reading } from "../../state.js";
import type { Item } from "../../../worker/api.js";
import { FileOf } from "../documents/FileOf.js";
import { From, type Source } from "../documents/source.js";
import { Handed } from "./Handed.js";
import { NothingOpen } from "./NothingOpen.js";
import { Proof } from "./Proof.js";
import { SavePack } from "./SavePack.js";

export default function Shared(): JSX.Element {
  return reading.value === null ? <NothingOpen /> : <Read key={reading.value.shared.bundle} {...reading.value} />;
}

function Read({ vault, shared }: Reading): JSX.Element {
  const source = useMemo<Source>(() => ({
    readContent: (...asked) => vault.readShared(...asked), readPiece: (...asked) => vault.readSharedPiece(...asked),
    thumbnail: () => Promise.resolve(null), keepThumbnail: () => Promise.resolve(), makeId: () => vault.makeId(),
  }), [vault]);
  const items = useMemo(() => shared.items.map(({ item }) => item), [shared]);
  const refused = shared.items.filter((one) => one.refused !== null).length;
  const close = async (): Promise<void> => {
    reading.value = null;
    go("inbox", null, true);
    await vault.closeShared();
  };
  const proofOf = (item: Item): JSX.Element => <Proof shared={shared.items.find((one) => one.item === item)!} />;
  return (
    <From.Provider value={source}>
      <Title>{say("reading.title")}</Title>
      <p class="lead">{say("reading.until", { moment: moment(shared.expires) })}</p>
      {refused > 0 && <Notice care><p>{say("reading.refused", { count: refused })}</p></Notice>}
      <p>{say("reading.given", { moment: moment(shared.created) })} {say("reading.sender")}</p>
      <p class="hint">{say(shared.pinned ? "reading.key_known" : "reading.key_named")}</p>
      <div class="actions">
        <a class="button" href={address("summary")}>{say("reading.summary.name")}</a>
        <SavePack vault={vault} items={items} />
        {session.value !== null && <Button plain onClick={() => void close()}>{say("reading.close")}</Button>}
      </div>
      <p class="hint not-on-paper">{say("reading.care")}</p>
      <Handed
        items={items} message={shared.message} receiptOf={proofOf}
        fileOf={(item, content) => <FileOf item={item} content={content} />}
      />
    </From.Provider>
  );
}
