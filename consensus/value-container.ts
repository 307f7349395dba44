/**
 * An SSZ container kept as one immutable value at its place in a tree, so that a field of a state is read and
 * written as plain data and a long list costs one node per element. See specs/consensus/containers.md#values-in-the-tree.
 */

import {
  type Gindex,
  hashObjectToUint8Array,
  Node,
  type Tree,
  uint8ArrayToHashObject,
} from "@chainsafe/persistent-merkle-tree";
import { type ByteViews, CompositeType, ContainerType, type Type, type ValueOfFields } from "@chainsafe/ssz";
import { assert } from "../primitives/errors.ts";

type ContainerLike<T> = Pick<Type<T>, "hashTreeRoot" | "value_toTree">;
type ContainerOptions<Fields extends Record<string, Type<unknown>>> = ConstructorParameters<
  typeof ContainerType<Fields>
>[1];

/** The node of a value: a leaf in memory, a subtree in meaning. Its root is computed once, when asked for. */
class ValueNode<T> extends Node {
  readonly type: ContainerLike<T>;
  readonly value: T;

  constructor(type: ContainerLike<T>, value: T) {
    // The tree library marks a node without a root by a null first word.
    super(null as unknown as number, 0, 0, 0, 0, 0, 0, 0);
    this.type = type;
    this.value = value;
  }

  override get rootHashObject(): Node {
    if (this.h0 === null) this.applyHash(uint8ArrayToHashObject(this.type.hashTreeRoot(this.value)));
    return this;
  }

  override get root(): Uint8Array {
    return hashObjectToUint8Array(this.rootHashObject);
  }

  override get left(): Node {
    return this.type.value_toTree(this.value).left;
  }

  override get right(): Node {
    return this.type.value_toTree(this.value).right;
  }

  override isLeaf(): boolean {
    return false;
  }
}

/** A container whose view is its value. Values are never changed, only replaced. */
export class ValueContainerType<Fields extends Record<string, Type<unknown>>> extends CompositeType<
  ValueOfFields<Fields>,
  ValueOfFields<Fields>,
  ValueOfFields<Fields>
> {
  /** The same container as a plain type. */
  readonly plain: ContainerType<Fields>;
  readonly isList = false;
  readonly isViewMutable = false;
  readonly typeName: string;
  readonly depth: number;
  readonly maxChunkCount: number;
  readonly fixedSize: number | null;
  readonly minSize: number;
  readonly maxSize: number;

  constructor(fields: Fields, options: ContainerOptions<Fields>) {
    super();
    this.plain = new ContainerType(fields, options);
    this.typeName = this.plain.typeName;
    this.depth = this.plain.depth;
    this.maxChunkCount = this.plain.maxChunkCount;
    this.fixedSize = this.plain.fixedSize;
    this.minSize = this.plain.minSize;
    this.maxSize = this.plain.maxSize;
  }

  defaultValue(): ValueOfFields<Fields> {
    return this.plain.defaultValue();
  }

  getView(tree: Tree): ValueOfFields<Fields> {
    return this.tree_toValue(tree.rootNode);
  }

  getViewDU(node: Node): ValueOfFields<Fields> {
    return this.tree_toValue(node);
  }

  commitView(value: ValueOfFields<Fields>): Node {
    return this.value_toTree(value);
  }

  commitViewDU(value: ValueOfFields<Fields>, _offset?: number, levels: unknown = null): Node {
    const node = this.value_toTree(value);
    // With levels the caller hashes in batches and expects its children hashed.
    if (levels !== null) node.rootHashObject;
    return node;
  }

  cacheOfViewDU(): undefined {
    return undefined;
  }

  value_serializedSize(value: ValueOfFields<Fields>): number {
    return this.plain.value_serializedSize(value);
  }

  value_serializeToBytes(output: ByteViews, offset: number, value: ValueOfFields<Fields>): number {
    return this.plain.value_serializeToBytes(output, offset, value);
  }

  value_deserializeFromBytes(data: ByteViews, start: number, end: number): ValueOfFields<Fields> {
    return this.plain.value_deserializeFromBytes(data, start, end);
  }

  override value_toTree(value: ValueOfFields<Fields>): Node {
    return new ValueNode(this.plain, value);
  }

  override tree_toValue(node: Node): ValueOfFields<Fields> {
    assert(node instanceof ValueNode, "the tree holds a value here");
    return node.value as ValueOfFields<Fields>;
  }

  tree_serializedSize(node: Node): number {
    return this.plain.value_serializedSize(this.tree_toValue(node));
  }

  tree_serializeToBytes(output: ByteViews, offset: number, node: Node): number {
    return this.plain.value_serializeToBytes(output, offset, this.tree_toValue(node));
  }

  tree_deserializeFromBytes(data: ByteViews, start: number, end: number): Node {
    return this.value_toTree(this.plain.value_deserializeFromBytes(data, start, end));
  }

  override hashTreeRootInto(value: ValueOfFields<Fields>, output: Uint8Array, offset: number): void {
    this.plain.hashTreeRootInto(value, output, offset);
  }

  protected getBlocksBytes(value: ValueOfFields<Fields>): Uint8Array {
    return this.plain.hashTreeRoot(value);
  }

  getPropertyGindex(): null {
    return null;
  }

  getPropertyType(property: string): Type<unknown> {
    return this.plain.getPropertyType(property);
  }

  getIndexProperty(index: number): string | null {
    return this.plain.getIndexProperty(index);
  }

  tree_getLeafGindices(rootGindex: Gindex, rootNode?: Node): Gindex[] {
    return this.plain.tree_getLeafGindices(rootGindex, rootNode);
  }

  fromJson(json: unknown): ValueOfFields<Fields> {
    return this.plain.fromJson(json);
  }

  toJson(value: ValueOfFields<Fields>): Record<string, unknown> {
    return this.plain.toJson(value);
  }

  clone(value: ValueOfFields<Fields>): ValueOfFields<Fields> {
    return this.plain.clone(value);
  }

  equals(a: ValueOfFields<Fields>, b: ValueOfFields<Fields>): boolean {
    return this.plain.equals(a, b);
  }
}
