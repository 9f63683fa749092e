/** The `Environment` property of a unit, as `systemctl show` prints it: words, quoted where one holds a space. */
const WORD = /"((?:[^"\\]|\\.)*)"|((?:[^\s"\\]|\\.)+)/g;

export function parseEnvironment(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(WORD)].flatMap(([, quoted, bare = ""]): [string, string][] => {
      const word = (quoted ?? bare).replace(/\\(.)/g, "$1");
      const at = word.indexOf("=");
      return at <= 0 ? [] : [[word.slice(0, at), word.slice(at + 1)]];
    }),
  );
}
