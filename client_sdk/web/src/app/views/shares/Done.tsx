// What was shared just now. Knows: link and code, to be told by two different ways. Refuses to know: them later; what is
// not noted here can only be shared anew.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { moment, say } from "../../i18n.js";
import { Button, Notice, Title } from "../../parts/index.js";
import { address } from "../../router.js";
import type { Link, Sharing } from "../../../worker/sharing.js";
import type { Reader } from "./Share.js";

export function Done(props: { sharing: Sharing; reader: Reader | null; link: Link | null }): JSX.Element {
  const { sharing, reader, link } = props;
  return (
    <>
      <Title>{say("share.done.title")}</Title>
      <p>
        {reader === null ? say("share.done.by_link", { moment: moment(sharing.expires) })
          : say("share.done.by_name", { name: reader.name, moment: moment(sharing.expires) })}
      </p>
      {reader !== null && <p>{say("share.done.tell")}</p>}
      {link !== null && <TwoWays link={link} />}
      <p>{say("share.done.later")}</p>
      <p class="actions"><a class="button" href={address("shares")}>{say("share.list.name")}</a></p>
    </>
  );
}

function TwoWays({ link: { fragment, code } }: { link: Link }): JSX.Element {
  const whole = `${location.origin}${location.pathname}${fragment}`;
  const [copied, setCopied] = useState<"no" | "yes" | "failed">("no");
  const copy = (): void => {
    Promise.resolve().then(() => navigator.clipboard.writeText(whole)).then(() => setCopied("yes"), () => setCopied("failed"));
  };
  return (
    <>
      <Notice care><p>{say("share.done.once")}</p></Notice>
      <h2>{say("share.done.link")}</h2>
      <p>{say("share.done.link_text")}</p>
      <p class="shown-once"><code>{whole}</code></p>
      <p class="actions"><Button plain onClick={copy}>{say("share.done.copy")}</Button></p>
      <p role="status">{copied !== "no" && say(`share.done.copied_${copied}`)}</p>
      <h2>{say("share.done.code")}</h2>
      <p>{say("share.done.code_text")}</p>
      <p class="digits"><span>{code}</span></p>
    </>
  );
}
