// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;
contract Sample {
  struct Point { uint128 x; uint64 y; uint128 z; bool set; }
  struct Entry { address owner; string note; mapping(address => bool) seen; uint8[] marks; }
  address owner;
  bool open;
  uint8 small;
  int96 delta;
  uint256 total;
  bytes4 tag;
  bytes31 wide;
  string name;
  bytes blob;
  mapping(address => uint256) balances;
  mapping(address => mapping(bytes32 => bool)) nested;
  mapping(string => uint64) byName;
  uint64[] list;
  uint64[5] five;
  address[3] trio;
  Point point;
  Point[] points;
  mapping(uint256 => Entry) entries;
  uint16 last;
}
