import type { Problem } from "./api";

/** What can be shown of an error; null where the login is shown instead. It throws what is no Problem. */
export type Failed = (error: unknown) => Problem | null;
