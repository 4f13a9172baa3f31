// Which of the files somebody brings is which. Knows: how a receipt and a policy begin. Refuses to know: their names.

/** Of a policy, in bytes; crypto_core has it too, which no page loads: it comes with wasm. */
const MAX_POLICY_SIZE = 64 * 1024;
const RECEIPT = "c2sp.org/tlog-proof@";
const POLICY = /^[ \t]*quorum[ \t]+\S/m;

/** The files of one check; null for those that aren't there yet. */
export interface Brought {
  readonly sealed: File | null;
  readonly receipt: File | null;
  readonly policy: File | null;
}

export const NOTHING: Brought = { sealed: null, receipt: null, policy: null };

/** What there was, and the files in their places; of two of a kind the later one counts. */
export async function sort(before: Brought, files: readonly File[]): Promise<Brought> {
  const kinds = await Promise.all(files.map(kindOf));
  return files.reduce<Brought>((found, file, at) => ({ ...found, [kinds[at]!]: file }), before);
}

/** A sealed file looks like nothing; a file that can't be read is taken for one, and said to be unreadable later. */
async function kindOf(file: File): Promise<keyof Brought> {
  const head = await file.slice(0, MAX_POLICY_SIZE).text().catch(() => "");
  if (head.startsWith(RECEIPT)) return "receipt";
  return file.size <= MAX_POLICY_SIZE && POLICY.test(head) ? "policy" : "sealed";
}
