/** CHANGELOG.md, read for the packages' own changelogs: a heading `## VERSION - YYYY-MM-DD` and its points. */

export interface Change {
  version: string;
  date: Date;
  /** One line each; continuation lines are joined. */
  points: string[];
}

/** @returns newest first, as written */
export function changes(markdown: string): Change[] {
  const found: Change[] = [];
  for (const line of markdown.split("\n")) {
    const heading = /^## (\d\S*) - (\d{4}-\d{2}-\d{2})$/.exec(line);
    const current = found.at(-1);
    if (heading !== null) {
      found.push({ version: heading[1] ?? "", date: new Date(`${heading[2]}T12:00:00Z`), points: [] });
    } else if (current !== undefined && line.startsWith("- ")) {
      current.points.push(line.slice(2).trim());
    } else if (current !== undefined && /^ {2}\S/.test(line) && current.points.length > 0) {
      current.points.push(`${current.points.pop()} ${line.trim()}`);
    }
  }
  return found;
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The body of a spec's %changelog. */
export function rpmChangelog(all: readonly Change[], author: string): string {
  const entry = ({ version, date, points }: Change) => {
    const day = `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${pad(date.getUTCDate())} ${date.getUTCFullYear()}`;
    // A percent sign would be taken for a macro.
    const lines = points.map((point) => `- ${point.replaceAll("%", "%%")}`);
    return [`* ${day} ${author} - ${version}-1`, ...lines].join("\n");
  };
  return `${all.map(entry).join("\n\n")}\n`;
}

/** debian/changelog's form. */
export function debianChangelog(all: readonly Change[], name: string, author: string): string {
  const entry = ({ version, date, points }: Change) => {
    const day = `${DAYS[date.getUTCDay()]}, ${pad(date.getUTCDate())} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()} 12:00:00 +0000`;
    const lines = points.map((point) => `  * ${point}`).join("\n");
    return `${name} (${version}) stable; urgency=medium\n\n${lines}\n\n -- ${author}  ${day}\n`;
  };
  return all.map(entry).join("\n");
}

function pad(day: number): string {
  return String(day).padStart(2, "0");
}
