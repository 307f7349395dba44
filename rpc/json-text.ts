/** JSON that is text already: long answers are written where they are found and cross threads as one string. See specs/rpc/schemas.md#text. */

export class JsonText {
  readonly text: string;

  /** @param text JSON; nobody looks at it again. */
  constructor(text: string) {
    this.text = text;
  }
}
