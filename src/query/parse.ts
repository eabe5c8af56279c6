/**
 * Tokens to a tree. A space is "and", which binds closer than `OR`; `-` takes the term behind it.
 * `field:(a OR b)` says the field once for several values.
 */
import { DEPTH_MAX, QUERY_CHARS_MAX, TERMS_MAX } from "./limits.ts";
import { QueryError, type Span } from "./query-error.ts";
import { scan, type Token } from "./scan.ts";
import type { FieldName, Operator, Tree } from "./tree.ts";

/** Knows no fields: `bind` does. Throws `QueryError`. */
export function parse(text: string): Tree {
  if (text.length > QUERY_CHARS_MAX) {
    const span = { from: QUERY_CHARS_MAX, to: text.length };
    throw new QueryError(`a query has at most ${QUERY_CHARS_MAX} characters`, span);
  }
  return new Parser(scan(text)).parse();
}

/** The field whose values a parenthesis lists. */
interface Named {
  readonly field: FieldName;
  readonly operator: Operator;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  #terms = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Tree {
    if (this.#peek().kind === "end") return { kind: "everything" };
    const tree = this.#or();
    if (this.#peek().kind === "end") return tree;
    throw new QueryError(
      "nothing is open that this could close",
      this.#peek().span,
      "remove the )",
    );
  }

  #peek(): Token {
    // The last one is `end`, and nobody takes that.
    return this.#tokens[this.#at] as Token;
  }

  #take(): Token {
    const token = this.#peek();
    if (token.kind !== "end") this.#at++;
    return token;
  }

  #or(named?: Named): Tree {
    const parts = [this.#and(named)];
    while (this.#peek().kind === "or") {
      this.#take();
      parts.push(this.#and(named));
    }
    return joined("or", parts);
  }

  #and(named?: Named): Tree {
    const parts = [this.#term(named)];
    for (;;) {
      const { kind } = this.#peek();
      if (kind === "end" || kind === "close" || kind === "or") return joined("and", parts);
      if (kind === "and") this.#take();
      parts.push(this.#term(named));
    }
  }

  #term(named?: Named): Tree {
    const token = this.#take();
    switch (token.kind) {
      case "minus":
        return this.#within(token.span, () => ({ kind: "not", part: this.#term(named) }));
      case "open":
        return this.#within(token.span, () => this.#closed(token.span, named));
      case "field":
        return this.#field(token, named);
      case "value":
        this.#count(token.span);
        return named === undefined
          ? { kind: "bare", value: token.value }
          : { kind: "field", ...named, value: token.value };
      default:
        throw new QueryError(
          "something to look for is missing here",
          token.span,
          missingHint(token),
        );
    }
  }

  #field(token: Token & { readonly kind: "field" }, named?: Named): Tree {
    const { field, operator, span } = token;
    if (named !== undefined) {
      throw new QueryError("a list of values holds no other field", span, "close the list first");
    }
    const next = this.#peek();
    const isAdjacent = next.span.from === span.to;
    if (isAdjacent && next.kind === "value") {
      this.#take();
      this.#count(next.span);
      return { kind: "field", field, operator, value: next.value };
    }
    if (isAdjacent && next.kind === "open" && operator === ":") {
      this.#take();
      return this.#within(next.span, () => this.#closed(next.span, { field, operator }));
    }
    const hint = `write ${field.text}${operator}value without a space, or ${field.text}:* for any`;
    throw new QueryError(`${field.text}${operator} has no value`, span, hint);
  }

  #closed(open: Span, named?: Named): Tree {
    const tree = this.#or(named);
    if (this.#peek().kind !== "close") throw new QueryError("the ( is not closed", open, "add a )");
    this.#take();
    return tree;
  }

  #within(span: Span, inner: () => Tree): Tree {
    if (++this.#depth > DEPTH_MAX) {
      throw new QueryError(`more than ${DEPTH_MAX} levels of ( and -`, span);
    }
    const tree = inner();
    this.#depth--;
    return tree;
  }

  #count(span: Span): void {
    if (++this.#terms > TERMS_MAX) throw new QueryError(`more than ${TERMS_MAX} terms`, span);
  }
}

function joined(kind: "and" | "or", parts: readonly Tree[]): Tree {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind, parts };
}

function missingHint({ kind }: Token): string {
  switch (kind) {
    case "or":
      return "OR stands between two terms; quote it to look for the word";
    case "and":
      return "AND stands between two terms; quote it to look for the word";
    case "close":
      return "remove the () or write a term in it";
    default:
      return "add a term, or remove what leads to it";
  }
}
