/** Looks at what is silent: soon, then more and more seldom, until something happens there again. */
export class Seldom {
  #pauseMs: number;
  #nextAt = 0;

  constructor(
    private readonly leastMs: number,
    private readonly mostMs: number,
  ) {
    this.#pauseMs = leastMs;
  }

  get isDue(): boolean {
    if (Date.now() < this.#nextAt) return false;
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.mostMs);
    this.#nextAt = Date.now() + this.#pauseMs;
    return true;
  }

  /** Something has happened. */
  reset(): void {
    this.#pauseMs = this.leastMs;
    this.#nextAt = 0;
  }
}
