// Figures as the page says them.

const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const MINUS = "\u2212";

export function whole(value: number): string {
  return plain.format(value);
}

export function some(value: number): string {
  return value >= 100 ? plain.format(value) : fine.format(value);
}

/** A share of 1 in percent, with as many digits as say something. */
export function percent(share: number): string {
  const value = 100 * share;
  const digits = value !== 0 && value < 10 ? (value < 1 ? 2 : 1) : value > 99 && value < 100 ? 1 : 0;
  return `${Number(value.toFixed(digits))}%`;
}

export function signed(value: number, format: (value: number) => string = whole): string {
  const said = format(Math.abs(value));
  return said === "0" ? "±0" : `${value < 0 ? MINUS : "+"}${said}`;
}

export function threshold(value: number | null): string {
  if (value === null) return "never";
  const digits = value > 0.99 || value < 0.01 ? 4 : 3;
  return String(Number(value.toFixed(digits)));
}

export const acted: Record<string, string> = { remove: "removed", limit: "limited" };
