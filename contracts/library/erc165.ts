/** ERC-165: which interfaces a contract has. See specs/contracts/library.md#erc-165. */
import { type Hex, view } from "chain:std";

const ERC165_ID = "0x01ffc9a7";
export const ERC721_ID = "0x80ac58cd";
export const ERC721_METADATA_ID = "0x5b5e139f";
export const ERC1155_ID = "0xd9b67a26";
export const ERC1155_METADATA_ID = "0x0e89341c";

/** `...erc165(ERC721_ID)`: the interfaces named, and the question itself. */
export const erc165 = (...ids: readonly Hex[]) => ({
  supportsInterface: view(
    "(bytes4 interfaceId) returns (bool)",
    (interfaceId) => interfaceId === ERC165_ID || ids.includes(interfaceId),
  ),
});
