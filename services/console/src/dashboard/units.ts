// Numbers as people read them.

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export function count(value: number): string {
  return Math.abs(value) < 10_000 ? plain.format(value) : compact.format(value);
}

export function percent(value: number): string {
  return `${plain.format(value)}%`;
}

export function duration(seconds: number): string {
  if (seconds === 0) return "0\u00a0s";
  if (seconds < 1) return `${Math.max(1, Math.round(seconds * 1000))}\u00a0ms`;
  if (seconds < 60) return `${plain.format(seconds < 10 ? seconds : Math.round(seconds))}\u00a0s`;
  if (seconds < 3600) return `${plain.format(seconds / 60)}\u00a0min`;
  if (seconds < 172_800) return `${plain.format(seconds / 3600)}\u00a0h`;
  return `${plain.format(seconds / 86_400)}\u00a0d`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** A time of the axis: the day where it begins, else the clock. */
export function clock(seconds: number, withSeconds = false): string {
  const at = new Date(seconds * 1000);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (withSeconds) return `${time}:${two(at.getSeconds())}`;
  return time === "00:00" ? at.toLocaleDateString("en", { month: "short", day: "numeric" }) : time;
}
