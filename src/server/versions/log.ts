/** The part of a logger that the server's rooms use. Fields hold ids and sizes, never secrets. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
