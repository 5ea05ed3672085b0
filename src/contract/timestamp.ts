const form = /^(?!0000)(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,16})?(Z|[+-](0\d|1[0-4]):[0-5]\d)$/;

/** A time as in RFC 3339 that every reader of the state contract takes: one that .NET does not take costs it the whole document. */
export function isTimestamp(value: unknown): value is string {
  const [, year, month, day] = (typeof value === 'string' && form.exec(value)) || [];
  if (day === undefined) return false;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return date.getUTCMonth() + 1 === Number(month) && date.getUTCDate() === Number(day);
}

/**
 * A time of ours as the state contract writes it: numeric offset, no zeros at the end of the fraction. The times of others are never
 * rewritten.
 */
export function contractTime(time: string): string {
  return time.replace(/(?:\.(\d*?)0*)?Z$/, (_, fraction?: string) => `${fraction ? `.${fraction}` : ''}+00:00`);
}
