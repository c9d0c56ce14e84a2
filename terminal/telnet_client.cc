// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See telnet_client.h.
#include "terminal/telnet_client.h"

#include <stddef.h>
// libtelnet.h uses size_t without including it.
#include <libtelnet.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "terminal/telnet_filter.h"

namespace fairlead::terminal {
namespace {

// What may be on: by us, and by the peer.
constexpr telnet_telopt_t kOptions[] = {
    {TELNET_TELOPT_BINARY, TELNET_WILL, TELNET_DO}, {TELNET_TELOPT_ECHO, TELNET_WONT, TELNET_DO},
    {TELNET_TELOPT_SGA, TELNET_WILL, TELNET_DO},    {TELNET_TELOPT_TTYPE, TELNET_WILL, TELNET_DONT},
    {TELNET_TELOPT_NAWS, TELNET_WILL, TELNET_DONT}, {-1, 0, 0}};

// RFC 1091 section 3.
constexpr std::size_t kMaxTerminalTypeBytes = 40;

std::string UsableTerminalType(absl::string_view type) {
  const bool usable = !type.empty() && type.size() <= kMaxTerminalTypeBytes &&
                      std::all_of(type.begin(), type.end(), absl::ascii_isgraph);
  return usable ? std::string(type) : "xterm";
}

}  // namespace

struct TelnetClient::State {
  State(absl::string_view type, WindowSize window)
      : telnet(telnet_init(kOptions, &State::OnEvent, 0, this)),
        terminal_type(UsableTerminalType(type)),
        size(window) {}
  ~State() { telnet_free(telnet); }

  static void OnEvent(telnet_t* /*telnet*/, telnet_event_t* event, void* state) {
    static_cast<State*>(state)->On(*event);
  }

  void On(const telnet_event_t& event) {
    switch (event.type) {
      case TELNET_EV_DATA:
        OnData(absl::string_view(event.data.buffer, event.data.size));
        return;
      case TELNET_EV_SEND:
        sent.append(event.data.buffer, event.data.size);
        return;
      case TELNET_EV_WILL:
      case TELNET_EV_WONT:
        if (event.neg.telopt == TELNET_TELOPT_BINARY) {
          receives_binary = event.type == TELNET_EV_WILL;
        }
        return;
      case TELNET_EV_DO:
      case TELNET_EV_DONT:
        OnOurOption(event.neg.telopt, event.type == TELNET_EV_DO);
        return;
      case TELNET_EV_SUBNEGOTIATION:
        OnSubnegotiation(event.sub.telopt, absl::string_view(event.sub.buffer, event.sub.size));
        return;
      default:
        return;
    }
  }

  void OnOurOption(std::uint8_t option, bool on) {
    if (option == TELNET_TELOPT_BINARY) sends_binary = on;
    if (option == TELNET_TELOPT_TTYPE) tells_type = on;
    if (option == TELNET_TELOPT_NAWS) {
      tells_size = on;
      if (on) TellSize();
    }
  }

  void OnSubnegotiation(std::uint8_t option, absl::string_view payload) {
    const bool asks = payload.size() == 1 && payload[0] == TELNET_TTYPE_SEND;
    if (option == TELNET_TELOPT_TTYPE && tells_type && asks) {
      telnet_ttype_is(telnet, terminal_type.c_str());
    }
  }

  void OnData(absl::string_view data) {
    for (const char c : data) {
      const bool is_padding = c == '\0' && after_cr && !receives_binary;
      after_cr = c == '\r';
      if (!is_padding) output.push_back(c);
    }
  }

  void TellSize() {
    const char bytes[] = {static_cast<char>(size.columns >> 8), static_cast<char>(size.columns),
                          static_cast<char>(size.rows >> 8), static_cast<char>(size.rows)};
    telnet_subnegotiation(telnet, TELNET_TELOPT_NAWS, bytes, sizeof(bytes));
  }

  telnet_t* const telnet;
  const std::string terminal_type;
  WindowSize size;
  TelnetFilter filter{{TELNET_TELOPT_TTYPE}};
  // Collected by the events of one call.
  std::string output;
  std::string sent;
  // The last byte of data was CR.
  bool after_cr = false;
  // What is agreed now.
  bool receives_binary = false;
  bool sends_binary = false;
  bool tells_type = false;
  bool tells_size = false;
};

TelnetClient::TelnetClient(absl::string_view terminal_type, WindowSize size)
    : state_(std::make_unique<State>(terminal_type, size)) {}

TelnetClient::~TelnetClient() = default;

TelnetClient::Received TelnetClient::Receive(absl::string_view bytes) {
  const absl::string_view heard = state_->filter.Filter(bytes);
  telnet_recv(state_->telnet, heard.data(), heard.size());
  Received received;
  received.output = std::exchange(state_->output, "");
  received.answers = std::exchange(state_->sent, "");
  return received;
}

std::string TelnetClient::Encode(absl::string_view typed) {
  while (!typed.empty()) {
    // With a CR, if there is one that needs its NUL.
    const std::size_t cr = state_->sends_binary ? absl::string_view::npos : typed.find('\r');
    const std::size_t size = cr == absl::string_view::npos ? typed.size() : cr + 1;
    telnet_send(state_->telnet, typed.data(), size);
    if (cr != absl::string_view::npos) state_->sent.push_back('\0');
    typed.remove_prefix(size);
  }
  return std::exchange(state_->sent, "");
}

std::string TelnetClient::Resize(WindowSize size) {
  state_->size = size;
  if (state_->tells_size) state_->TellSize();
  return std::exchange(state_->sent, "");
}

}  // namespace fairlead::terminal
