/** Names of files in an archive: each once, none that leads out of its folder. Pure. */
export function archiveNames(names: readonly string[]): string[] {
  const used = new Set<string>();
  return names.map((raw) => {
    const name = raw.replace(/[\u0000-\u001f\\/:*?"<>|]/g, "_").replace(/^\.+/, "_") || "file";
    const dot = name.lastIndexOf(".");
    const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
    let made = name;
    for (let n = 2; used.has(made.toLowerCase()); n++) made = `${stem}-${n}${ending}`;
    used.add(made.toLowerCase());
    return made;
  });
}
