// What lies between a device and a vault in tests: it passes everything on, unless a test cuts it off or has it lie.
// Knows: requests and answers as bytes. Refuses to know: what a test wants of them.

/** One request as it left. */
export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** What becomes of the JSON of an answer. */
export type Rewrite = (said: any) => unknown;

/** The `fetch` of a device. Every fault is a change of these fields. */
export class Network {
  /** The request never arrives. */
  cutBefore: (sent: Sent) => boolean = () => false;
  /** The request arrives, its answer is lost. */
  cutAfter: (sent: Sent) => boolean = () => false;
  /** An answer in the vault's place, where one is given. */
  answers: (sent: Sent) => Response | null = () => null;
  /** "METHOD /path" → what becomes of the JSON of its answer: a vault that lies. */
  readonly rewrites = new Map<string, Rewrite>();
  /** What becomes of any other body. */
  spoils: ((sent: Sent, body: Uint8Array) => Uint8Array) | null = null;
  readonly seen: Sent[] = [];

  /** Passes a request on, as `fetch` does. */
  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const { pathname, searchParams } = new URL(url);
    const body = await bytesOf(init.body);
    const sent: Sent = {
      method: init.method ?? "GET", path: pathname, query: searchParams, headers: new Headers(init.headers), body,
    };
    this.seen.push(sent);
    if (this.cutBefore(sent)) throw new TypeError("cut");
    const instead = this.answers(sent);
    if (instead !== null) return instead;
    const answer = await fetch(url, init);
    if (this.cutAfter(sent)) {
      await answer.body?.cancel();
      throw new TypeError("cut");
    }
    const rewrite = this.rewrites.get(`${sent.method} ${sent.path}`);
    if (rewrite !== undefined && answer.status < 400) return json(rewrite(await answer.json()), answer.status);
    if (this.spoils === null) return answer;
    const spoiled = this.spoils(sent, new Uint8Array(await answer.arrayBuffer()));
    const headers = new Headers(answer.headers);
    headers.delete("Content-Length");
    return new Response(spoiled as BodyInit, { status: answer.status, headers });
  };

  /** The paths asked for with a method, in order. */
  paths(method: string): readonly string[] {
    return this.seen.filter((one) => one.method === method).map((one) => one.path);
  }
}

/** The bytes of a request. */
async function bytesOf(body: BodyInit | null | undefined): Promise<Uint8Array> {
  if (body instanceof Blob) return new Uint8Array(await body.arrayBuffer());
  return body instanceof Uint8Array ? body : new Uint8Array();
}

/** An answer in JSON. */
export function json(said: unknown, status = 200): Response {
  return new Response(JSON.stringify(said), { status, headers: { "Content-Type": "application/json" } });
}
