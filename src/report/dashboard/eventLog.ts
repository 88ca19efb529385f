import { randomBytes } from 'node:crypto';

/** Events without a key that are kept. */
const MAX_KEPT = 2000;

interface LoggedEvent {
  readonly number: number;
  readonly name: string;
  /** JSON in one line. */
  readonly data: string;
  readonly key?: string;
}

/**
 * The history of a live page's events, in bounded memory: of events with a key the newest is kept, of the others (points
 * of curves) about `MAX_KEPT`, older ones thinned out evenly. Serialised as server-sent events
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 */
export class EventLog {
  /** Tells this run's events from those of another one that had the same port. */
  readonly #run = randomBytes(6).toString('hex');
  #events: LoggedEvent[] = [];
  #last = 0;

  /** Adds an event, in place of the one with the same key. @returns its text */
  add(name: string, data: unknown, key?: string): string {
    const event = { number: ++this.#last, name, data: JSON.stringify(data), key };
    if (key !== undefined) this.#events = this.#events.filter((other) => other.key !== key);
    this.#events.push(event);
    this.#thin();
    return this.#text(event);
  }

  /**
   * What a client has missed.
   * @param lastId the `Last-Event-ID` it sends; without one, or with one of another run, it gets everything, after an
   *   event `reset`
   */
  missed(lastId: string | undefined): string {
    const [run, number] = (lastId ?? '').split('-');
    if (run === this.#run && /^\d+$/.test(number ?? '')) {
      return this.#events
        .filter((event) => event.number > Number(number))
        .map((event) => this.#text(event))
        .join('');
    }
    return `event: reset\ndata: {}\n\n${this.#events.map((event) => this.#text(event)).join('')}`;
  }

  #text({ number, name, data }: LoggedEvent): string {
    return `id: ${this.#run}-${number}\nevent: ${name}\ndata: ${data}\n\n`;
  }

  #thin(): void {
    let free = this.#events.reduce((count, { key }) => count + (key === undefined ? 1 : 0), 0);
    if (free <= MAX_KEPT) return;
    // Every second one of the older half goes: the newest stay whole.
    const half = free / 2;
    free = 0;
    this.#events = this.#events.filter(({ key }) => key !== undefined || ++free > half || free % 2 === 1);
  }
}
