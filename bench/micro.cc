// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The inner pieces of the data plane, each for itself, with Google Benchmark: masks, frame headers,
// tickets, and records of TLS.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "dataplane/frame_codec.h"
#include "dataplane/testing/test_pki.h"
#include "dataplane/ticket_register.h"
#include "dataplane/tls_context.h"
#include "dataplane/tls_engine.h"

namespace fairlead::bench {
namespace {

using dataplane::Fin;
using dataplane::FrameKind;
using dataplane::FrameReader;
using dataplane::FrameRole;
using dataplane::FrameWriter;
using dataplane::Side;
using dataplane::TlsEngine;

void Unmask(benchmark::State& state) {
  std::vector<std::uint8_t> data(static_cast<std::size_t>(state.range(0)), 0x5a);
  for (auto _ : state) {
    dataplane::ApplyMask(data.data(), data.data(), data.size(), 0x12345678);
    benchmark::DoNotOptimize(data.data());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Unmask)->Arg(16)->Arg(1024)->Arg(16384);

void EncodeHeader(benchmark::State& state) {
  FrameWriter writer;
  std::array<std::uint8_t, dataplane::kMaxPlainHeaderBytes> header;
  for (auto _ : state) {
    benchmark::DoNotOptimize(writer.Put(header.data(), FrameKind::kBinary, Fin::kLast, 1024));
    benchmark::DoNotOptimize(header);
  }
}
BENCHMARK(EncodeHeader);

// A client's frame of that payload, masked with zeros.
std::vector<std::uint8_t> MaskedFrame(std::size_t payload) {
  std::vector<std::uint8_t> frame = {0x82};
  if (payload < 126) {
    frame.push_back(static_cast<std::uint8_t>(0x80 | payload));
  } else {
    frame.push_back(0x80 | 126);
    frame.push_back(static_cast<std::uint8_t>(payload >> 8));
    frame.push_back(static_cast<std::uint8_t>(payload));
  }
  frame.resize(frame.size() + 4 + payload);
  return frame;
}

// Header, verdict and unmasking of one frame.
void DecodeFrame(benchmark::State& state) {
  const std::vector<std::uint8_t> frame = MaskedFrame(static_cast<std::size_t>(state.range(0)));
  std::vector<std::uint8_t> target(frame.size());
  FrameReader reader(FrameRole::kServer, 1 << 20);
  for (auto _ : state) {
    std::span<const std::uint8_t> input = frame;
    if (reader.Next(input) != FrameReader::Event::kData || !reader.Take(target.data())) {
      state.SkipWithError("the frame was not taken");
      break;
    }
    benchmark::DoNotOptimize(target.data());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(DecodeFrame)->Arg(16)->Arg(1024)->Arg(16384);

std::string TicketOf(std::int64_t number) {
  std::string ticket = absl::StrCat(number);
  ticket.resize(43, 'x');
  return ticket;
}

// A claim among as many sessions as the argument says; registering is not timed.
void ClaimTicket(benchmark::State& state) {
  dataplane::TicketRegister tickets;
  std::int64_t next = 0;
  const auto add = [&](std::int64_t number) {
    dataplane::SessionSpec spec;
    spec.session_id = absl::StrCat("s", number);
    spec.console_ticket_sha256 = dataplane::HashTicket(TicketOf(2 * number));
    spec.device_ticket_sha256 = dataplane::HashTicket(TicketOf(2 * number + 1));
    if (!tickets.Add(spec, absl::ZeroDuration()).ok()) std::abort();
    return spec;
  };
  for (; next < state.range(0); ++next) add(next);
  for (auto _ : state) {
    state.PauseTiming();
    const dataplane::SessionSpec spec = add(next);
    const std::string ticket = TicketOf(2 * next++);
    state.ResumeTiming();
    const auto verdict = tickets.Claim(ticket, Side::kConsole, "", absl::Seconds(1));
    if (!verdict.granted) state.SkipWithError("the ticket was refused");
    state.PauseTiming();
    tickets.Remove(spec);
    state.ResumeTiming();
  }
}
BENCHMARK(ClaimTicket)->Arg(10)->Arg(20'000)->Iterations(20'000);

// Two ends of a TLS connection in memory, after their handshake.
struct TlsPair {
  TlsPair() {
    const dataplane::testing::TestCa ca;
    server_context = *dataplane::TlsServerContext::Create(ca.Issue({}), "");
    dataplane::TlsTrust trust;
    trust.ca_pem = ca.pem();
    client_context = *dataplane::TlsClientContext::Create(trust, nullptr, {});
    server_ssl = server_context->Acquire();
    client_ssl = client_context->Acquire();
    server = std::make_unique<TlsEngine>(server_ssl.get(), TlsEngine::Role::kServer);
    client = std::make_unique<TlsEngine>(client_ssl.get(), TlsEngine::Role::kClient);
    client->SetServerName("localhost", nullptr);
    TlsEngine::Bytes to_server;
    TlsEngine::Bytes to_client;
    for (int i = 0; i < 8; ++i) {
      Step(*client, to_client, to_server);
      Step(*server, to_server, to_client);
    }
    // What is left over are the server's session tickets.
    std::array<std::uint8_t, 16> none;
    std::size_t size = 0;
    TlsEngine::ByteView input = to_client;
    client->Read(input, none, size, to_server);
  }

  static void Step(TlsEngine& engine, TlsEngine::Bytes& from, TlsEngine::Bytes& to) {
    TlsEngine::ByteView input = from;
    engine.Handshake(input, to);
    from.erase(from.begin(), from.end() - static_cast<std::ptrdiff_t>(input.size()));
  }

  std::shared_ptr<dataplane::TlsServerContext> server_context;
  std::shared_ptr<dataplane::TlsClientContext> client_context;
  std::shared_ptr<SSL_CTX> server_ssl;
  std::shared_ptr<SSL_CTX> client_ssl;
  std::unique_ptr<TlsEngine> server;
  std::unique_ptr<TlsEngine> client;
};

void SealRecord(benchmark::State& state) {
  TlsPair pair;
  const std::vector<std::uint8_t> data(static_cast<std::size_t>(state.range(0)), 0x5a);
  TlsEngine::Bytes sealed;
  for (auto _ : state) {
    sealed.clear();
    if (pair.server->Write(data, sealed) != TlsEngine::Outcome::kDone) {
      state.SkipWithError("sealing failed");
      break;
    }
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(SealRecord)->Arg(16)->Arg(16384);

// Sealing at one end and opening at the other, since a record can be opened but once.
void SealAndOpenRecord(benchmark::State& state) {
  TlsPair pair;
  const std::vector<std::uint8_t> data(static_cast<std::size_t>(state.range(0)), 0x5a);
  std::vector<std::uint8_t> opened(data.size());
  TlsEngine::Bytes sealed;
  TlsEngine::Bytes answer;
  for (auto _ : state) {
    sealed.clear();
    pair.client->Write(data, sealed);
    TlsEngine::ByteView input = sealed;
    std::size_t size = 0;
    if (pair.server->Read(input, opened, size, answer) != TlsEngine::Outcome::kDone) {
      state.SkipWithError("opening failed");
      break;
    }
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(SealAndOpenRecord)->Arg(16)->Arg(16384);

}  // namespace
}  // namespace fairlead::bench

BENCHMARK_MAIN();
