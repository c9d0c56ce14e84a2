// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Runs a fuzz target without a fuzzer: over each corpus file named on the command line, over the
// empty input, and over a fixed sequence of mutations of them. fairlead_cc_fuzz_test links it, so
// that every fuzz target is also a fast and repeatable test.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Bytes = std::vector<uint8_t>;
using Random = std::mt19937_64;

constexpr int kMutations = 4000;
constexpr int kMaxStepsPerMutation = 6;
constexpr size_t kMaxInputBytes = 1 << 20;

// Values at which length fields, signs and delimiters tend to break.
constexpr uint8_t kInterestingBytes[] = {0x00, 0x01, 0x09, 0x0A, 0x0D, 0x20, 0x22, 0x25,
                                         0x2F, 0x3A, 0x7B, 0x7D, 0x7E, 0x7F, 0x80, 0x81,
                                         0xC0, 0xED, 0xF0, 0xF4, 0xFE, 0xFF};

size_t Below(size_t bound, Random& random) { return static_cast<size_t>(random() % bound); }

void RunOne(const Bytes& input) {
  // An exact copy on the heap lets AddressSanitizer see a read of a single byte too many.
  const Bytes exact(input.begin(), input.end());
  static const uint8_t kNothing = 0;
  LLVMFuzzerTestOneInput(exact.empty() ? &kNothing : exact.data(), exact.size());
}

void Overwrite(Bytes& input, Random& random) {
  if (input.empty()) return;
  const size_t position = Below(input.size(), random);
  if (Below(2, random) == 0) {
    input[position] = kInterestingBytes[Below(std::size(kInterestingBytes), random)];
  } else {
    input[position] ^= static_cast<uint8_t>(1u << Below(8, random));
  }
}

void Insert(Bytes& input, Random& random) {
  const auto position = static_cast<std::ptrdiff_t>(Below(input.size() + 1, random));
  const uint8_t value = kInterestingBytes[Below(std::size(kInterestingBytes), random)];
  // Now and then a long run, to reach size limits.
  const size_t count = Below(16, random) == 0 ? 1 + Below(20000, random) : 1 + Below(4, random);
  input.insert(input.begin() + position, count, value);
}

void Erase(Bytes& input, Random& random) {
  if (input.empty()) return;
  const size_t begin = Below(input.size(), random);
  const size_t count = 1 + Below(std::min<size_t>(input.size() - begin, 64), random);
  const auto first = input.begin() + static_cast<std::ptrdiff_t>(begin);
  input.erase(first, first + static_cast<std::ptrdiff_t>(count));
}

void Duplicate(Bytes& input, Random& random) {
  if (input.empty()) return;
  const size_t begin = Below(input.size(), random);
  const size_t count = 1 + Below(input.size() - begin, random);
  const auto first = input.begin() + static_cast<std::ptrdiff_t>(begin);
  const Bytes piece(first, first + static_cast<std::ptrdiff_t>(count));
  const auto position = static_cast<std::ptrdiff_t>(Below(input.size() + 1, random));
  input.insert(input.begin() + position, piece.begin(), piece.end());
}

// Keeps a prefix of `input` and continues with a suffix of `other`.
void Splice(Bytes& input, const Bytes& other, Random& random) {
  input.resize(Below(input.size() + 1, random));
  const auto from = static_cast<std::ptrdiff_t>(Below(other.size() + 1, random));
  input.insert(input.end(), other.begin() + from, other.end());
}

Bytes Mutate(const std::vector<Bytes>& corpus, Random& random) {
  Bytes input = corpus[Below(corpus.size(), random)];
  const size_t steps = 1 + Below(kMaxStepsPerMutation, random);
  for (size_t step = 0; step < steps; ++step) {
    switch (Below(6, random)) {
      case 0:
      case 1:
        Overwrite(input, random);
        break;
      case 2:
        Insert(input, random);
        break;
      case 3:
        Erase(input, random);
        break;
      case 4:
        Duplicate(input, random);
        break;
      default:
        Splice(input, corpus[Below(corpus.size(), random)], random);
        break;
    }
  }
  if (input.size() > kMaxInputBytes) input.resize(kMaxInputBytes);
  return input;
}

// Returns false when the file cannot be read.
bool ReadFile(const char* path, Bytes& contents) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  contents.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  return !file.bad();
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Bytes> corpus;
  for (int i = 1; i < argc; ++i) {
    Bytes contents;
    if (!ReadFile(argv[i], contents)) {
      std::fprintf(stderr, "cannot read the corpus file %s\n", argv[i]);
      return 1;
    }
    corpus.push_back(std::move(contents));
  }
  if (corpus.empty()) {
    std::fprintf(stderr, "usage: %s CORPUS_FILE...\n", argv[0]);
    return 1;
  }
  for (const Bytes& input : corpus) RunOne(input);
  corpus.emplace_back();
  RunOne(corpus.back());
  Random random(20240607);
  for (int i = 0; i < kMutations; ++i) RunOne(Mutate(corpus, random));
  std::printf("%zu corpus files and %d mutations passed\n", corpus.size() - 1, kMutations);
  return 0;
}
