/** A list that draws only the rows that are in sight; all rows are equally high. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

const SPARE = 8,
  PRINTED = 500;

interface Props {
  count: number;
  height: number;
  label: string;
  role?: JSX.AriaRole;
  class?: string;
  /** A row that is to be in sight. */
  focus?: number | null;
  row: (index: number) => ComponentChildren;
  onKeyDown?: (event: KeyboardEvent) => void;
  attributes?: Record<string, string | number | undefined>;
}

export function VirtualList({ count, height, label, role = "list", focus, row, onKeyDown, attributes, ...rest }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, room: 800 });
  const printing = usePrinting();

  const look = () => {
    const now = box.current;
    if (now) setView({ top: now.scrollTop, room: now.clientHeight });
  };
  useLayoutEffect(look, [count]);
  useEffect(() => {
    const watch = new ResizeObserver(look);
    watch.observe(box.current!);
    return () => watch.disconnect();
  }, []);
  useLayoutEffect(() => {
    const now = box.current;
    if (focus == null || !now) return;
    const top = focus * height;
    if (top < now.scrollTop) now.scrollTop = top;
    else if (top + height > now.scrollTop + now.clientHeight) now.scrollTop = top + height - now.clientHeight;
    look();
  }, [focus]);

  const first = printing ? 0 : Math.max(Math.floor(view.top / height) - SPARE, 0);
  const last = printing ? Math.min(count, PRINTED) : Math.min(Math.ceil((view.top + view.room) / height) + SPARE, count);
  return (
    <div
      class={`virtual ${rest.class ?? ""}`}
      ref={box}
      onScroll={look}
      tabIndex={0}
      role={role}
      aria-label={label}
      onKeyDown={onKeyDown}
      {...attributes}
    >
      <div class="virtual-all" role="presentation" style={{ height: printing ? "auto" : `${count * height}px` }}>
        <div
          class="virtual-seen"
          role="presentation"
          style={{ transform: printing ? "none" : `translateY(${first * height}px)` }}
        >
          {Array.from({ length: Math.max(last - first, 0) }, (_, i) => row(first + i))}
        </div>
      </div>
      {printing && count > PRINTED && <p>and {count - PRINTED} more</p>}
    </div>
  );
}

function usePrinting(): boolean {
  const [printing, setPrinting] = useState(false);
  useEffect(() => {
    const media = matchMedia("print"),
      change = () => setPrinting(media.matches);
    media.addEventListener("change", change);
    return () => media.removeEventListener("change", change);
  }, []);
  return printing;
}
