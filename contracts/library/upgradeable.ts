/** A contract that takes over another code, named by its hash. See specs/contracts/library.md#upgradeable-by-code-hash. */
import {
  type Address,
  call,
  codeHash,
  error,
  event,
  external,
  guard,
  type Hex,
  self,
  upgrade,
} from "chain:std";

const CodeUpgraded = event("CodeUpgraded(bytes32 indexed codeHash, address indexed template)");
const UnexpectedCode = error("UpgradeUnexpectedCode(bytes32 expected, bytes32 actual)");

/**
 * `...upgradeable(onlyOwner)` in a contract that declares `upgradeable: true`. The hash is what is agreed on: the template
 * is only an account that happens to have the code.
 */
export const upgradeable = (authorize: () => void) =>
  guard(authorize, {
    upgradeTo: external("(address template, bytes32 expectedCodeHash)", takeOver),
    /** The same, and then `migration`, a call of the new code's, which it must declare reentrant and open to itself only. */
    upgradeToAndCall: external(
      "(address template, bytes32 expectedCodeHash, bytes migration)",
      (template, expectedCodeHash, migration) => {
        takeOver(template, expectedCodeHash);
        call(self.address, migration);
      },
    ),
  });

function takeOver(template: Address, expected: Hex): void {
  const actual = codeHash(template);
  if (actual !== expected) throw UnexpectedCode({ expected, actual });
  upgrade(template);
  CodeUpgraded({ codeHash: actual, template });
}
