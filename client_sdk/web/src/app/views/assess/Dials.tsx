// The numbers that answer day and night, as on the public pages. Knows: the first contacts of the directory, in the
// files that those pages are made of. Refuses to know: why they are shown; tapping one is for the person to decide.

import type { JSX } from "preact";
import contacts from "../../../../../../server/help/data/fr/contacts.json";
import country from "../../../../../../server/help/data/fr/country.json";
import { lang, say } from "../../i18n.js";

type Texts = Readonly<Record<string, string>>;
interface Contact {
  readonly id: string;
  readonly names: Texts;
  readonly what_for: Texts;
  readonly ways: readonly { readonly kind: string; readonly to: string; readonly shown?: string }[];
}

const SCHEMES: Readonly<Record<string, string>> = { call: "tel:", sms: "sms:" };

function named(ids: readonly string[]): readonly Contact[] {
  const all: readonly Contact[] = contacts;
  return ids.flatMap((id) => all.filter((contact) => contact.id === id));
}

/** The emergency numbers, large, each a link that calls or writes. */
export function Dials(): JSX.Element {
  return (
    <ul class="dials">
      {named(country.first).map((contact) => {
        const way = contact.ways[0];
        if (!way) return null;
        return (
          <li key={contact.id}>
            <a class="dial" href={`${SCHEMES[way.kind] ?? ""}${way.to}`}>
              <span class="dial-number">{way.shown ?? way.to}</span>{" "}
              <span class="dial-text"><b>{say(`site.way.${way.kind}`)}</b> {contact.names[lang.value]}</span>
            </a>
          </li>
        );
      })}
    </ul>
  );
}

/** Those who listen: a name, what for, and the ways to reach them. */
export function Talk(): JSX.Element {
  return (
    <ul class="contacts">
      {named(country.talk).map((contact) => (
        <li key={contact.id} class="contact">
          <h3>{contact.names[lang.value]}</h3>
          <p>{contact.what_for[lang.value]}</p>
          <p class="ways">
            {contact.ways.filter(({ kind }) => kind !== "app").map((way) => (
              <a key={way.to} class="way" href={`${SCHEMES[way.kind] ?? ""}${way.to}`} rel="noreferrer">
                <span class="way-verb">{say(`site.way.${way.kind}`)}</span>{" "}
                <span class={way.kind in SCHEMES ? "way-number" : "way-site"}>{way.shown ?? way.to}</span>
              </a>
            ))}
          </p>
        </li>
      ))}
    </ul>
  );
}
