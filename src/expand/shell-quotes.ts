type Context = 'plain' | 'double' | 'single' | 'comment';

/**
 * Follows shell text piece by piece and knows whether its end stands inside single quotes, where `$NAME` stays as it
 * is written.
 *
 * A rough reading of POSIX quoting: quotes, backslashes, comments, and command substitutions that open a context of
 * their own. Here-documents are not followed. Good enough for a warning, not for more. Linear in the text.
 */
export class ShellQuotes {
  readonly #contexts: Context[] = ['plain'];
  #escaped = false;
  #last = '\n';

  /** True if text put behind what was read so far would stand in single quotes. */
  get inSingleQuotes(): boolean {
    return this.#contexts.at(-1) === 'single';
  }

  read(text: string): void {
    for (const char of text) {
      this.#step(char);
      this.#last = char;
    }
  }

  #step(char: string): void {
    const context = this.#contexts.at(-1);
    if (this.#escaped) {
      this.#escaped = false;
    } else if (context === 'single') {
      if (char === "'") this.#contexts.pop();
    } else if (context === 'comment') {
      if (char === '\n') this.#contexts.pop();
    } else if (char === '\\') {
      this.#escaped = true;
    } else if (char === '"') {
      if (context === 'double') this.#contexts.pop();
      else this.#contexts.push('double');
    } else if (char === '(' && this.#last === '$') {
      this.#contexts.push('plain');
    } else if (context === 'plain') {
      this.#stepPlain(char);
    }
  }

  #stepPlain(char: string): void {
    if (char === "'") this.#contexts.push('single');
    else if (char === '#' && /[\s;|&(]/.test(this.#last)) this.#contexts.push('comment');
    else if (char === ')' && this.#contexts.length > 1) this.#contexts.pop();
  }
}
