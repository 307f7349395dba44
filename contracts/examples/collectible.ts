/** ERC-721 tokens that minters give out and an administrator can stop. See specs/contracts/library.md. */
import { contract, external, guard, init, msg, storage, view } from "chain:std";
import { ERC721_ID, ERC721_METADATA_ID, erc165 } from "../library/erc165.ts";
import { burn, erc721, nameTokens, ownerOf, safeMint } from "../library/erc721.ts";
import { pausable, pauseSwitch, whenNotPaused } from "../library/pausable.ts";
import { DEFAULT_ADMIN_ROLE, grantRole, onlyRole, role, roles } from "../library/roles.ts";

const MINTER_ROLE = role("MINTER_ROLE");
const collection = storage({ nextId: "uint256", baseUri: "string" });

export default contract({
  name: "Collectible",

  init: init("string name, string symbol, string baseUri", (name, symbol, baseUri) => {
    nameTokens(name, symbol);
    collection.baseUri = baseUri;
    grantRole(DEFAULT_ADMIN_ROLE, msg.sender);
    grantRole(MINTER_ROLE, msg.sender);
  }),

  functions: {
    ...erc165(ERC721_ID, ERC721_METADATA_ID),
    ...guard(whenNotPaused, erc721),
    ...roles,
    ...pausable,
    ...guard(onlyRole(DEFAULT_ADMIN_ROLE), pauseSwitch),

    MINTER_ROLE: view("() returns (bytes32)", () => MINTER_ROLE),

    tokenURI: view("(uint256 tokenId) returns (string)", (tokenId) => {
      ownerOf(tokenId); // Reverts when there is no such token.
      return `${collection.baseUri}${tokenId}`;
    }),

    safeMint: external("(address to) returns (uint256 tokenId)", (to) => {
      onlyRole(MINTER_ROLE)();
      whenNotPaused();
      const tokenId = collection.nextId;
      collection.nextId += 1n;
      safeMint(to, tokenId);
      return tokenId;
    }),

    burn: external("(uint256 tokenId)", (tokenId) => {
      whenNotPaused();
      if (ownerOf(tokenId) !== msg.sender) throw new Error("only its owner burns a token");
      burn(tokenId);
    }),
  },
});
