//! A gateway of a few lines on a line of bytes, and the node at its end. Time is a number.

use linli_node::sim::{Disk, Keys, Options, SoftwareNode, World};
use linli_wire::crc;
use linli_wire::field::{Field, Value};
use linli_wire::kind::Kind;
use linli_wire::update::{Message, WORDS};

pub const SECRET: [u8; 32] = [7; 32];

/// One character of eleven bits at 9600 baud.
const CHARACTER_US: u64 = 1146;

/// How long the gateway waits for an answer.
const PATIENCE_US: u64 = 200_000;

pub struct Rig {
    pub node: SoftwareNode,
    pub world: World,
    pub now_us: u64,
    pub unit: u8,
}

/// Public half of [`SECRET`].
pub fn keys() -> Keys {
    let public = ed25519_dalek::SigningKey::from_bytes(&SECRET).verifying_key().to_bytes();
    Keys::new(&[public]).expect("a point of the curve")
}

impl Rig {
    /// A node of that kind with all its sensors at 4 °C.
    pub fn new(kind: &str) -> Self {
        Self::at(kind, 0)
    }

    /// The same, switched on at that time.
    pub fn at(kind: &str, now_us: u64) -> Self {
        let world = World::default();
        world.set_temperature(0x48, Some(400));
        world.set_temperature(0x49, Some(500));
        let options = Options::new(Kind::from_name(kind).expect("a kind"), keys());
        let node = SoftwareNode::new(options, world.clone(), Disk::new(), now_us);
        Self { node, world, now_us, unit: 247 }
    }

    /// Lets time pass in steps; nothing may be said meanwhile.
    pub fn pass(&mut self, us: u64, step_us: u64) {
        let end = self.now_us + us;
        while self.now_us < end {
            self.now_us = (self.now_us + step_us).min(end);
            let said = self.node.poll(self.now_us).map(<[u8]>::to_vec);
            assert_eq!(said, None, "nobody asked");
        }
    }

    pub fn pass_ms(&mut self, ms: u64) {
        self.pass(ms * 1000, 5000);
    }

    /// Bytes on the line, one character time each.
    pub fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.now_us += CHARACTER_US;
            let said = self.node.poll(self.now_us).map(<[u8]>::to_vec);
            assert_eq!(said, None, "the node talks into a frame");
            self.node.bytes(self.now_us, &[*byte]);
        }
    }

    /// Waits for an answer as long as a gateway does.
    pub fn listen(&mut self) -> Option<Vec<u8>> {
        let end = self.now_us + PATIENCE_US;
        while self.now_us < end {
            self.now_us += 500;
            if let Some(answer) = self.node.poll(self.now_us) {
                let answer = answer.to_vec();
                self.now_us += CHARACTER_US * answer.len() as u64;
                return Some(answer);
            }
        }
        None
    }

    /// A request and its answer: the body behind unit and function, or the exception.
    pub fn ask(&mut self, function: u8, rest: &[u8]) -> Option<Result<Vec<u8>, u8>> {
        let mut frame = vec![self.unit, function];
        frame.extend(rest);
        self.put(&framed(&frame));
        let answer = self.listen()?;
        let (body, sum) = answer.split_last_chunk::<2>().expect("a frame");
        assert_eq!(crc::modbus(body), u16::from_le_bytes(*sum));
        assert_eq!((body[0], body[1] & 0x7F), (self.unit, function));
        // Silence behind the answer, or the next request would grow onto it.
        self.pass(5000, 5000);
        Some(if body[1] & 0x80 == 0 { Ok(body[2..].to_vec()) } else { Err(body[2]) })
    }

    pub fn read(&mut self, function: u8, address: u16, count: u16) -> Result<Vec<u16>, u8> {
        let rest = [address.to_be_bytes(), count.to_be_bytes()].concat();
        let answer = self.ask(function, &rest).expect("an answer")?;
        assert_eq!(usize::from(answer[0]), answer.len() - 1);
        Ok(answer[1..].chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect())
    }

    pub fn input<T: Value>(&mut self, field: Field<T>) -> T {
        let words = self.read(4, field.address, T::WORDS).expect("a register of the map");
        T::read(&words)
    }

    pub fn holding<T: Value>(&mut self, field: Field<T>) -> T {
        let words = self.read(3, field.address, T::WORDS).expect("a register of the map");
        T::read(&words)
    }

    pub fn write(&mut self, address: u16, words: &[u16]) -> Result<(), u8> {
        self.ask(16, &write_body(address, words)).expect("an answer").map(|_| ())
    }

    /// A message to the mailbox.
    pub fn send(&mut self, message: &Message) -> Result<(), u8> {
        let mut words = [0; WORDS];
        let used = message.encode(&mut words);
        self.write(linli_wire::update::BASE, &words[..used])
    }
}

pub fn write_body(address: u16, words: &[u16]) -> Vec<u8> {
    let mut rest = [address.to_be_bytes(), (words.len() as u16).to_be_bytes()].concat();
    rest.push(2 * words.len() as u8);
    rest.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    rest
}

pub fn framed(body: &[u8]) -> Vec<u8> {
    let mut frame = body.to_vec();
    frame.extend(crc::modbus(body).to_le_bytes());
    frame
}
