// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "device/profiles.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"

namespace fairlead::device {
namespace {

constexpr int kMaxProfiles = 64;
constexpr std::size_t kMaxNameLength = 64;
constexpr char kDefaultPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// A user of this machine.
struct User {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home;
  std::string shell;
};

User FromEntry(const passwd& entry) {
  User user;
  user.name = entry.pw_name;
  user.uid = entry.pw_uid;
  user.gid = entry.pw_gid;
  user.home = entry.pw_dir;
  user.shell = entry.pw_shell;
  return user;
}

absl::StatusOr<User> FindUser(const std::string& name) {
  std::vector<char> buffer(64 * 1024);
  passwd entry;
  passwd* found = nullptr;
  if (name.empty()) {
    getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found);
  } else {
    getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  }
  if (found != nullptr) return FromEntry(*found);
  if (!name.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the user ", name, " does not exist on this device"));
  }
  // An agent may run under a number without an entry, in a container for example.
  User user;
  user.name = absl::StrCat(geteuid());
  user.uid = geteuid();
  user.gid = getegid();
  user.home = "/";
  user.shell = "/bin/sh";
  return user;
}

Credentials CredentialsOf(const User& user) {
  Credentials credentials;
  credentials.uid = user.uid;
  credentials.gid = user.gid;
  int count = 64;
  credentials.groups.resize(count);
  while (getgrouplist(user.name.c_str(), user.gid, credentials.groups.data(), &count) < 0) {
    credentials.groups.resize(count);
  }
  credentials.groups.resize(count);
  return credentials;
}

bool IsDirectory(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::string ShellOf(const v1::DeviceProfile& profile, const User& user) {
  const char* own = profile.user().empty() ? std::getenv("SHELL") : nullptr;
  for (const std::string& shell : {std::string(own == nullptr ? "" : own), user.shell}) {
    if (absl::string_view(shell).substr(0, 1) == "/" && access(shell.c_str(), X_OK) == 0) {
      return shell;
    }
  }
  return "/bin/sh";
}

absl::StatusOr<std::string> FindProgram(const std::string& name, const std::string& search_path) {
  if (name.find('/') != std::string::npos) return name;
  for (const absl::string_view folder : absl::StrSplit(search_path, ':')) {
    const std::string path = absl::StrCat(folder, "/", name);
    if (access(path.c_str(), X_OK) == 0 && !IsDirectory(path)) return path;
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the program ", name, " is not in any folder of PATH (", search_path, ")"));
}

std::map<std::string, std::string> EnvironmentOf(const v1::DeviceProfile& profile, const User& user,
                                                 const std::string& shell) {
  std::map<std::string, std::string> variables = {
      {"TERM", "xterm-256color"}, {"PATH", kDefaultPath}, {"HOME", user.home},
      {"USER", user.name},        {"LOGNAME", user.name}, {"SHELL", shell},
  };
  for (const char* inherited : {"LANG", "LC_ALL", "LC_CTYPE", "TZ"}) {
    if (const char* value = std::getenv(inherited)) variables[inherited] = value;
  }
  for (const auto& [name, value] : profile.environment()) variables[name] = value;
  return variables;
}

absl::Status CheckName(const std::string& name) {
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  };
  if (name.empty() || name.size() > kMaxNameLength ||
      !std::all_of(name.begin(), name.end(), allowed)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the profile name \"", name, "\" is not 1 to 64 letters, digits, '-', '_' or '.'"));
  }
  return absl::OkStatus();
}

// Keeps the first error of the text, with its place.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text_.empty())
      text_ = absl::StrCat("line ", line + 1, ", column ", column + 1, ": ", message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace

Profiles Profiles::Default() {
  Profiles profiles;
  profiles.profiles_.add_profiles()->set_name("shell");
  return profiles;
}

absl::StatusOr<Profiles> Profiles::Parse(absl::string_view text) {
  Profiles profiles;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(std::string(text), &profiles.profiles_)) {
    return absl::InvalidArgumentError(error.text());
  }
  const int count = profiles.profiles_.profiles_size();
  if (count < 1 || count > kMaxProfiles) {
    return absl::InvalidArgumentError(
        absl::StrCat("it names ", count, " profiles; 1 to ", kMaxProfiles, " are allowed"));
  }
  std::set<std::string> names;
  for (const v1::DeviceProfile& profile : profiles.profiles_.profiles()) {
    FAIRLEAD_RETURN_IF_ERROR(CheckName(profile.name()));
    if (!names.insert(profile.name()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("the profile \"", profile.name(), "\" is there twice"));
    }
  }
  return profiles;
}

absl::StatusOr<Profiles> Profiles::Load(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::ErrnoToStatus(errno, absl::StrCat("reading the profiles file ", path));
  std::stringstream text;
  text << file.rdbuf();
  absl::StatusOr<Profiles> profiles = Parse(text.str());
  if (!profiles.ok()) {
    return Annotate(profiles.status(), absl::StrCat("the profiles file ", path));
  }
  return profiles;
}

std::vector<std::string> Profiles::names() const {
  std::vector<std::string> names;
  for (const v1::DeviceProfile& profile : profiles_.profiles()) names.push_back(profile.name());
  return names;
}

absl::StatusOr<Program> Profiles::Resolve(absl::string_view name) const {
  const v1::DeviceProfile* profile = name.empty() ? &profiles_.profiles(0) : nullptr;
  for (const v1::DeviceProfile& candidate : profiles_.profiles()) {
    if (absl::string_view(candidate.name()) == name) profile = &candidate;
  }
  if (profile == nullptr) {
    return absl::NotFoundError(absl::StrCat("this device has no profile \"", name, "\""));
  }
  FAIRLEAD_ASSIGN_OR_RETURN(const User user, FindUser(profile->user()));
  const bool other_user = user.uid != geteuid();
  if (other_user && geteuid() != 0) {
    return absl::FailedPreconditionError(absl::StrCat("the profile ", profile->name(), " runs as ",
                                                      user.name,
                                                      ", which needs an agent that runs as root"));
  }

  Program program;
  const std::string shell = ShellOf(*profile, user);
  const auto variables = EnvironmentOf(*profile, user, shell);
  for (const auto& [key, value] : variables) {
    program.environment.push_back(absl::StrCat(key, "=", value));
  }
  if (profile->argv().empty()) {
    program.path = shell;
    // A leading dash tells a shell that it is a log-in shell.
    program.argv = {absl::StrCat("-", shell.substr(shell.rfind('/') + 1))};
  } else {
    FAIRLEAD_ASSIGN_OR_RETURN(program.path, FindProgram(profile->argv(0), variables.at("PATH")));
    program.argv.assign(profile->argv().begin(), profile->argv().end());
  }
  program.working_directory = profile->working_directory();
  if (program.working_directory.empty()) {
    program.working_directory = IsDirectory(user.home) ? user.home : "/";
  }
  if (other_user) program.credentials = CredentialsOf(user);
  return program;
}

}  // namespace fairlead::device
