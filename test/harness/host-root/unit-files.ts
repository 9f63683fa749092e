/** What `systemctl enable` and `mask` leave on the disk: links below /etc/systemd/system, and nothing else. */
import { existsSync, lstatSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";

export class UnitFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  fragment(unit: string): string {
    return `/usr/lib/systemd/system/${unit}`;
  }

  isEnabled(unit: string): boolean {
    return isLink(this.#wanted(unit));
  }

  isMasked(unit: string): boolean {
    const path = this.#inEtc(unit);
    return isLink(path) && readlinkSync(path) === "/dev/null";
  }

  /** @returns what systemctl says of it */
  enable(unit: string): string {
    if (this.isEnabled(unit)) return "";
    link(this.fragment(unit), this.#wanted(unit));
    return `Created symlink /etc/systemd/system/multi-user.target.wants/${unit} → ${this.fragment(unit)}.\n`;
  }

  disable(unit: string): string {
    if (!this.isEnabled(unit)) return "";
    rmSync(this.#wanted(unit));
    return `Removed "/etc/systemd/system/multi-user.target.wants/${unit}".\n`;
  }

  mask(unit: string): string {
    if (this.isMasked(unit)) return "";
    link("/dev/null", this.#inEtc(unit));
    return `Created symlink /etc/systemd/system/${unit} → /dev/null.\n`;
  }

  unmask(unit: string): string {
    if (!this.isMasked(unit)) return "";
    rmSync(this.#inEtc(unit));
    return `Removed "/etc/systemd/system/${unit}".\n`;
  }

  #inEtc(unit: string): string {
    return join(this.#directory, "etc/systemd/system", unit);
  }

  #wanted(unit: string): string {
    return join(this.#directory, "etc/systemd/system/multi-user.target.wants", unit);
  }
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) symlinkSync(target, path);
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}
