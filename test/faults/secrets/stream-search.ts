/** A stream passed on as it comes, and searched for secrets on the way, also across its parts. */
import { LONGEST_FORM, masked, type Sighting, sightingsIn } from "./forms.ts";

const AROUND = 80;

export interface Seen extends Pick<Sighting, "kind" | "form"> {
  /** What stands around it, its secrets made unreadable. */
  around: string;
}

export class StreamSearch {
  #rest: Buffer = Buffer.alloc(0);
  /** How much of what is kept was searched before. */
  #searched = 0;
  readonly seen: Seen[] = [];

  take(part: Buffer): void {
    const whole = Buffer.concat([this.#rest, part]);
    // One that ends in the part before was found there.
    const isNew = ({ at }: Sighting) => at + LONGEST_FORM > this.#searched;
    for (const { kind, form, at } of sightingsIn(whole).filter(isNew)) {
      const around = whole.subarray(Math.max(0, at - AROUND), at + AROUND).toString();
      const sighting = { kind, form, around: masked(around).replace(/\s+/g, " ") };
      if (!this.seen.some((other) => other.around === sighting.around)) this.seen.push(sighting);
    }
    this.#rest = whole.subarray(Math.max(0, whole.length - LONGEST_FORM - AROUND));
    this.#searched = this.#rest.length;
  }
}
