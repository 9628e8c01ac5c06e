/** Milliseconds since the epoch. The server's own time: what a client says of the time is never used. */
export type Clock = () => number;
