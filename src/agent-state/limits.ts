/** How much of a state document is read. What is over a limit is refused before anything is made of it. */
export const limits = {
  /** Characters of the text: 64 Mi, far beyond what a backend for entities holds. */
  text: 64 * 1024 * 1024,
  /** Lists, objects, texts, numbers and so on: small ones take more memory than their text. Ten thousand entries have some 200,000. */
  values: 1_000_000,
  /** Lists and objects within each other, the document included. .NET reads 64. */
  depth: 100,
  /** Problems that are looked for. */
  problems: 1000,
} as const;
