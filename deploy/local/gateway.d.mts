/** Which service answers below which path; what is not listed is the state store's. */
export const ROUTES: [path: string, service: string][];
export function routeOf(url: string): string;
