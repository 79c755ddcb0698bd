/** Opens the report: reads the data in the file and draws it. */

import { render } from "preact";
import { Root } from "./app";
import { Data, decode } from "./data";
import "./style.css";

function fail(text: string): void {
  const note = document.getElementById("opening");
  if (note) note.textContent = text;
}

async function open(): Promise<void> {
  const held = document.getElementById("data")!,
    app = document.getElementById("app")!;
  if (typeof DecompressionStream === "undefined") {
    fail("This browser is too old to open the report: Firefox 113, Chrome 80, Safari 16.4 and Edge 80 or newer ones can.");
    return;
  }
  try {
    const data = new Data(await decode(held.textContent ?? ""));
    held.remove();
    app.textContent = "";
    render(<Root data={data} />, app);
    document.documentElement.dataset.ready = "yes";
  } catch (error) {
    fail(
      `The report could not be opened: ${error instanceof Error ? error.message : String(error)}. The file may be damaged; make it again.`,
    );
  }
}

void open();
