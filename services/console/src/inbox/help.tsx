import { Modal, Table } from '@mantine/core';

const KEYS: [string, string][] = [
  ['j / k', 'next / previous item'],
  ['Enter', 'open the item'],
  ['1 – 9', 'choose an option of the open form'],
  ['Ctrl + Enter', 'submit the answer'],
  ['c', 'claim, or release'],
  ['a', 'everything else that can be done with it'],
  ['n', 'next item'],
  ['/', 'search'],
  ['Esc', 'back to the list'],
  ['?', 'this help'],
];

export function Help({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keys" closeButtonProps={{ 'aria-label': 'Close', size: 44 }}>
      <Table>
        <Table.Tbody>
          {KEYS.map(([key, meaning]) => (
            <Table.Tr key={key}>
              <Table.Td><kbd>{key}</kbd></Table.Td>
              <Table.Td>{meaning}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
