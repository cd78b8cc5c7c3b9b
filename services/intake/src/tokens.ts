/** Injection tokens of this module's own connections and settings. */
export const BUS = Symbol('intake bus');
export const CONFIG = Symbol('intake config');
export const SQL = Symbol('intake sql');
export const LOGGER = Symbol('intake logger');
