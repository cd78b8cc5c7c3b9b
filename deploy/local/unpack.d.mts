/** Whether this machine can unpack Debian packages. */
export function hasApt(): boolean;
export function isUnpacked(name: string): boolean;
export function unpackedFolder(name: string): string;
/** Unpacks a package and what it needs and this machine lacks. Returns the folder. */
export function unpackOwn(name: string, choose: () => string, without?: RegExp): Promise<string>;
