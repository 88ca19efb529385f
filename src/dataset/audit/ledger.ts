/** A label that is not what masks, scene graph or rendering say. */
export interface AuditDisagreement {
  /** The sample. */
  readonly key: string;
  /** Node of the object; its position among the labels where it names no node; null for the sample as a whole. */
  readonly object: number | null;
  /** Name of the label, e.g. `box`, `pose.x`, `attributes.rotation`; `object` for one that is missing or doubled. */
  readonly field: string;
  /** As it was recomputed: the value, or words that say what holds. */
  readonly expected: unknown;
  /** As the dataset has it. */
  readonly received: unknown;
}

/** Counts all disagreements and keeps the first of them: memory does not grow with their number. */
export class AuditLedger {
  readonly #limit: number;
  readonly #listed: AuditDisagreement[] = [];
  readonly #byField = new Map<string, number>();
  readonly #seen = new Set<string>();
  #total = 0;
  #key = '';

  /** @param limit how many are kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What follows is about this sample. */
  begin(key: string): void {
    this.#key = key;
    this.#seen.clear();
  }

  /** Notes a disagreement, unless the same label of the same object was noted before: checks overlap. */
  note(object: number | null, field: string, expected: unknown, received: unknown): void {
    const name = `${object}/${field}`;
    if (this.#seen.has(name)) return;
    this.#seen.add(name);
    this.#total++;
    this.#byField.set(field, (this.#byField.get(field) ?? 0) + 1);
    if (this.#listed.length < this.#limit) this.#listed.push({ key: this.#key, object, field, expected, received });
  }

  get total(): number {
    return this.#total;
  }

  get listed(): readonly AuditDisagreement[] {
    return this.#listed;
  }

  /** Number of disagreements by field, the most frequent first. */
  byField(): Record<string, number> {
    const fields = [...this.#byField.entries()].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return Object.fromEntries(fields);
  }
}
