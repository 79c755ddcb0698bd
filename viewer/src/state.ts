/** What all parts of the page share. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Told } from "./amounts";
import type { Data } from "./data";
import type { Filter, Route, Selection } from "./filter";
import type { Head } from "./figures";

export interface App {
  data: Data;
  route: Route;
  selection: Selection;
  /** The verdicts on what is shown. */
  told: Told;
  /** Figures of what is shown, and of everything. */
  head: Head;
  whole: Head;
  ignored: ReadonlySet<string>;
  go: (to: Partial<Route>) => void;
  filter: (change: Partial<Filter>) => void;
  ignore: (fingerprint: string) => void;
  href: (to: Partial<Route>) => string;
  announce: (text: string) => void;
}

export const Context = createContext<App>(null as unknown as App);
export const useApp = (): App => useContext(Context);
