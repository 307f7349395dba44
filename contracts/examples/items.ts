/** ERC-1155 items: an owner mints, and those on a published list claim theirs once. See specs/contracts/library.md. */
import { abi, contract, error, external, guard, init, mapping, msg, storage } from "chain:std";
import { ERC1155_ID, ERC1155_METADATA_ID, erc165 } from "../library/erc165.ts";
import { burn, erc1155, mint, mintBatch, setUri } from "../library/erc1155.ts";
import { isInTree, merkleLeaf } from "../library/merkle-proof.ts";
import { onlyOwner, ownable, setOwner } from "../library/ownable.ts";

const claims = storage({ root: "bytes32", claimed: mapping("bytes32", "bool") });

const NotOnList = error("NotOnList(address account, uint256 id, uint256 value)");
const AlreadyClaimed = error("AlreadyClaimed(address account, uint256 id, uint256 value)");

export default contract({
  name: "Items",

  init: init("string uri, bytes32 root", (uri, root) => {
    setUri(uri);
    setOwner(msg.sender);
    claims.root = root;
  }),

  functions: {
    ...erc165(ERC1155_ID, ERC1155_METADATA_ID),
    ...erc1155,
    ...ownable,

    /** Entries of the list are (address account, uint256 id, uint256 value). */
    claim: external("(uint256 id, uint256 value, bytes32[] proof)", (id, value, proof) => {
      const account = msg.sender;
      const leaf = merkleLeaf(abi.encode("address, uint256, uint256", account, id, value));
      if (!isInTree(claims.root, leaf, proof)) throw NotOnList({ account, id, value });
      if (claims.claimed.get(leaf)) throw AlreadyClaimed({ account, id, value });
      claims.claimed.set(leaf, true);
      mint(account, id, value);
    }),

    burn: external("(uint256 id, uint256 value)", (id, value) => burn(msg.sender, id, value)),

    ...guard(onlyOwner, {
      mint: external("(address to, uint256 id, uint256 value, bytes data)", (to, id, value, data) =>
        mint(to, id, value, data),
      ),
      mintBatch: external(
        "(address to, uint256[] ids, uint256[] values, bytes data)",
        (to, ids, values, data) => mintBatch(to, ids, values, data),
      ),
    }),
  },
});
