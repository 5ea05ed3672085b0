/** Secrets of webhooks: `whsec_` and 24 to 64 bytes in base64. */
const form = /^whsec_([A-Za-z0-9+/]{32,86}={0,2})$/;

/** Several are separated by spaces or commas: all sign. They are not repeated in what is wrong with them. */
export function readSecrets(text: string, problem: (what: string) => void): Uint8Array[] {
  return text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .flatMap((part, i) => {
      const [, base64 = ''] = form.exec(part) ?? [];
      const bytes = Buffer.from(base64, 'base64');
      if (bytes.length >= 24 && bytes.length <= 64) return [new Uint8Array(bytes)];
      problem(`secret ${i + 1}: expected "whsec_" and 24 to 64 bytes in base64`);
      return [];
    });
}
