/**
 * Errors as ClickHouse's HTTP interface reports them: a text `Code: N. DB::Exception: … (NAME)`, the number in a header, and a
 * status that follows from the number.
 */
export interface EngineFault {
  readonly code: number;
  readonly status: number;
  readonly text: string;
}

/** Codes with a status of their own; all others are 500 (ClickHouse: exceptionCodeToHTTPStatus). */
const statusOfCode: Readonly<Record<number, number>> = {
  6: 400,
  26: 400,
  27: 400,
  33: 400,
  36: 400,
  38: 400,
  41: 400,
  42: 400,
  43: 400,
  53: 400,
  62: 400,
  69: 400,
  70: 400,
  72: 400,
  117: 400,
  456: 400,
  457: 400,
  16: 404,
  46: 404,
  47: 404,
  50: 404,
  56: 404,
  60: 404,
  73: 404,
  81: 404,
  115: 404,
  48: 501,
  159: 408,
  164: 403,
  202: 503,
  210: 503,
  236: 503,
  493: 400,
  497: 403,
  516: 403,
  307: 413,
};

/** A fault of our own making, with the engine's numbers: 516 authentication, 48 not implemented, 202 too many queries … */
export class FaultError extends Error {
  readonly fault: EngineFault;

  constructor(code: number, name: string, message: string) {
    super(message);
    this.name = "FaultError";
    this.fault = {
      code,
      status: statusOfCode[code] ?? 500,
      text: `Code: ${code}. DB::Exception: ${message}. (${name})`,
    };
  }
}

/** What to answer for anything thrown. `hidePath` is cut out: a client has no use for the place of our temporary files. */
export function faultOf(error: unknown, hidePath: string): EngineFault {
  if (error instanceof FaultError) return error.fault;
  const message = error instanceof Error ? error.message : String(error);
  const text = message.replace(/^Query failed: /, "").replaceAll(hidePath, "");
  const code = Number(/Code: (\d+)/.exec(text)?.[1] ?? 1001);
  return {
    code,
    status: statusOfCode[code] ?? 500,
    text: /Code: \d+/.test(text) ? text : `Code: ${code}. DB::Exception: ${text}. (STD_EXCEPTION)`,
  };
}
