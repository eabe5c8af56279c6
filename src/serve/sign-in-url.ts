/** Where a one-time link leads: in the fragment, which no browser sends and no proxy logs. */
export function signInUrl(baseUrl: string, token: string): string {
  return `${baseUrl}/#signin=${token}`;
}
