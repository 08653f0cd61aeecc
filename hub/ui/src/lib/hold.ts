/** What a board gives its list and its details: which one is meant, and the way to another. */
export interface Hold {
  /** The one that is open beside the list. */
  readonly selected: string | null;
  /** The row Tab leads to. */
  readonly cursor: string | null;
  /** Nothing else can be reached while it is open. */
  readonly modal: boolean;
  readonly open: (id: string) => void;
  readonly close: () => void;
  readonly move: (step: 1 | -1) => void;
  readonly canMove: (step: 1 | -1) => boolean;
}
