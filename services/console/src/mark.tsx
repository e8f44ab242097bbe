/** The sign of Sluicegate: a gate and the water behind it. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M7 5v22M25 5v22M7 11h18" stroke="currentColor" stroke-width="3" stroke-linecap="round" fill="none" />
      <path d="M10 20c2-2.4 4-2.4 6 0s4 2.4 6 0" class="wave" stroke-width="3" stroke-linecap="round" fill="none" />
    </svg>
  );
}
