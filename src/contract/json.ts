/** Plain JSON: the only thing that crosses a process boundary. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** A span of time: milliseconds, or words such as `'90 seconds'`, `'5 minutes'`, `'3 days'`. */
export type Span = number | string;
