/**
 * What npm would run when it installs a package. What we bring along in a package of ours, or put into an image, runs nothing of it.
 * Specification: docs.npmjs.com, package.json, `scripts`.
 */
const AT_INSTALLATION = ['preinstall', 'install', 'postinstall'];

/** @param text of a package.json; one without such scripts comes back as it is */
export function removeInstallScripts(text: string): string {
  const manifest: { readonly scripts?: Readonly<Record<string, string>> } = JSON.parse(text);
  const scripts = Object.entries(manifest.scripts ?? {});
  const kept = scripts.filter(([name]) => !AT_INSTALLATION.includes(name));
  if (kept.length === scripts.length) return text;
  return `${JSON.stringify({ ...manifest, scripts: Object.fromEntries(kept) }, null, 2)}\n`;
}
