/** What every fault campaign is given and hands back. */

/** `quick`: a subset for CI, all campaigns together in at most four minutes. `full`: all that is claimed. */
export type Scale = "quick" | "full";

export interface CampaignOptions {
  scale: Scale;
  /** Decides everything that is drawn: the same seed tries the same cases. */
  seed: number;
  /** An empty directory of the campaign's own, removed afterwards. */
  directory: string;
  signal: AbortSignal;
}

/** One promise and what became of it. */
export interface Finding {
  what: string;
  /** What was promised, for people: "0", "at most 60 s". */
  target: string;
  found: string;
  isMet: boolean;
  /** How to see a broken promise again: seeds, points, inputs. */
  detail?: string;
}

export interface CampaignOutcome {
  /** How much was tried: "10,000 traces of 7 simulated days". */
  tried: string;
  findings: Finding[];
  /** Further tables for the document, in Markdown: rows to compare with, lists. */
  more?: string;
}

export interface Campaign {
  title: string;
  run(options: CampaignOptions): Promise<CampaignOutcome>;
}
