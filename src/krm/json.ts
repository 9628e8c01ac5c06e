/** Plain data, as it stands in manifests and goes over the wire. */

/** Plain data: what JSON can hold. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
/** A mapping of plain data. */
export type JsonObject = { [key: string]: JsonValue };

/** The same object, built of typed parts that hold nothing but JSON: an interface has no index signature to say so. */
export function asJson(object: object): JsonObject {
  return object as JsonObject;
}

/** A shallow copy of a mapping, or an empty one for anything else. */
export function mapping(value: JsonValue | undefined): JsonObject {
  return value && typeof value === 'object' && !Array.isArray(value) ? { ...value } : {};
}
